import { toolConformance } from '../conformance.ts';
import { template } from './spec.ts';

// Arguments that are right; together they must use every argument.
toolConformance(template, [{ path: 'faq.md', lines: 3 }]);
