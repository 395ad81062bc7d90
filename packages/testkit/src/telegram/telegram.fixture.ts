import type { TelegramServer } from './server.ts';

/** What the Bot API answers. */
export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly result?: unknown;
  readonly description?: string;
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

/** Calls a method with a JSON body, as bots do. */
export async function call(server: TelegramServer, method: string, params: object = {}): Promise<Answer> {
  const response = await fetch(`${server.apiRoot}/bot${server.token}/${method}`, {
    method: 'POST',
    body: JSON.stringify(params),
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }; // safe: tests look before they trust
}

/** The description of a refusal; empty when it went well. */
export async function refusal(server: TelegramServer, method: string, params: object = {}): Promise<string> {
  return (await call(server, method, params)).description ?? '';
}
