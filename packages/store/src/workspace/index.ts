// Owns: Markdown files of workspaces: guarded reading, listing, atomic writing, front matter.
// Never: follows a link; executes anything; decides who may read.
// Callers: the engine through the files port; setup, projector and rebuild.
// Invariants: a reader sees whole files only; bytes and label are recorded before a file changes; paths stay inside.
export { removeLeftovers, syncFolder, writeAtomically } from './atomic-write.ts';
export { type FilesInput, makeWorkspaceFiles, WORKSPACE_FILE } from './files.ts';
export { readFrontMatter, splitFrontMatter } from './front-matter.ts';
export { makePlainFolders } from './guard.ts';
