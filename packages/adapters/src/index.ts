export * from './connectors/index.ts';
export * from './llm/index.ts';
export * from './search/index.ts';
