// Owns: rows that say how far each version of a workspace file is trusted and who may read it; kept good versions of control files.
// Never: raises a label (the admin plane does, by exact bytes); looks at what a text says beyond its front matter.
// Callers: the workspace room.
// Invariants: same bytes at the same path keep their label; known low bytes stay low under any name.
export * from './file-label.ts';
export * from './good-versions.ts';
