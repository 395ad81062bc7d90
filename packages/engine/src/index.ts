export * from './admin/index.ts';
export * from './api.ts';
