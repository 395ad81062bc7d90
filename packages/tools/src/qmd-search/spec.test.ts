import { toolConformance } from '../conformance.ts';
import { qmdSearch } from './spec.ts';

toolConformance(qmdSearch, [{ query: 'refund' }, { query: 'How?', limit: 5 }]);
