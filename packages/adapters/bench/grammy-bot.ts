// The peer of the chat benchmark, what people write in an afternoon: a grammy bot that asks the same model and answers. It keeps nothing.
import { Bot } from 'grammy';

const [apiRoot = '', token = '', modelUrl = ''] = process.argv.slice(2);

/** Words of the emulated model, which streams as the real ones do. */
async function ask(text: string): Promise<string> {
  const response = await fetch(`${modelUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bench', stream: true, messages: [{ role: 'user', content: text }] }),
  });
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: {'));
  return lines
    .map((line) => JSON.parse(line.slice('data: '.length)) as Chunk) // safe: the emulated model of the benchmark
    .map(({ choices }) => choices[0]?.delta.content ?? '')
    .join('');
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

const bot = new Bot(token, { client: { apiRoot } });
bot.on('message:text', async (context) => {
  const answer = await ask(context.message.text);
  await context.reply(answer, { reply_parameters: { message_id: context.message.message_id } });
});
await bot.start({ onStart: () => process.stdout.write('{"ready":true}\n') });
