import { searchConformance } from '../conformance.ts';
import { memorySearch } from './memory.ts';

searchConformance('memory', (notes) => memorySearch(notes));
