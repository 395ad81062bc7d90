// Owns: an emulated server of the OpenAI protocol, on loopback, that can misbehave in every way providers do.
// Never: reaches a network; understands what it is asked.
// Callers: tests of adapters/llm and of the whole runtime, benchmarks, the demo.
// Invariants: each request is recorded before it is answered; answers come in the order in which they were planned.
export * from './moves.ts';
export * from './raw-server.ts';
export * from './server.ts';
