import { toolConformance } from '../conformance.ts';
import { mdRead } from './spec.ts';

toolConformance(mdRead, [{ path: 'faq.md' }, { path: 'notes/a.md', from_line: 3, lines: 20 }]);
