// Owns: Markdown records of what the database knows: chat logs, tasks, approvals, labels of files; their MACs.
// Never: is read back for authority; believes a line that it did not write.
// Callers: the runtime's projector loop; rebuild; the workspace room, for labels of records.
// Invariants: on the disk before the cursor moves; no hole and no double after a crash; no text can forge a record.
export { type Cursor, readCursor } from './cursor.ts';
export { LABEL_LOG, type LabelRows, labelLines, parseLabelLog } from './label-log.ts';
export { logPath } from './log-record.ts';
export { makeProjector, type Projector, type ProjectorInput } from './projector.ts';
export { type FileRecord, formatRecord, type ParsedRecords, parseRecords } from './record.ts';
export { isRecordPath, labelOfHead, labelOfRecords } from './record-label.ts';
export { parseRecordFile } from './state-file.ts';
