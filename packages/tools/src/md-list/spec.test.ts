import { toolConformance } from '../conformance.ts';
import { mdList } from './spec.ts';

toolConformance(mdList, [{}, { folder: 'notes' }]);
