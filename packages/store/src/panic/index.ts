// Owns: panic's memory across restarts.
// Never: decides who may turn it on or off; needs free space on the disk.
// Callers: boot hands the port `PanicSwitch` to the engine.
// Invariants: memory before disk; turning on never fails; what cannot be read counts as on.
export * from './panic-switch.ts';
