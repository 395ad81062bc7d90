import { toolConformance } from '../conformance.ts';
import { mdGlob } from './spec.ts';

toolConformance(mdGlob, [{ pattern: 'meetings/**/*.md' }]);
