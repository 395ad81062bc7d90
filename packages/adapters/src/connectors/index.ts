// Owns: adapters to places where people talk, one folder per platform.
// Never: decides who may speak; sends anything that settle did not hand over; changes a payload on its way.
// Callers: apps/runtime, which joins them to the engine; tests.
// Invariants: render is pure; deliver sends the bytes it was given; an event is acknowledged outside after it was accepted.
export { type DeliveryFault, deliveryError } from './errors.ts';
export * from './http/index.ts';
export * from './memory/index.ts';
export { MIN_PART_CHARS, splitText } from './split.ts';
