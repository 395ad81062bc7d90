export * from './connectors/index.ts';
export * from './llm/index.ts';
