// The floor that the runtime is measured against: node:http, JSON, one insert with an fsync. Run as a process of its own.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const database = new DatabaseSync(process.argv[2] ?? ':memory:');
database.exec(
  'pragma journal_mode = wal; pragma synchronous = full; create table if not exists event (id integer primary key, body text)',
);
const insert = database.prepare('insert into event (body) values (?)');

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString('utf8');
    const { text } = JSON.parse(body) as { text: string }; // safe: the bench sends it
    insert.run(text);
    response.setHeader('content-type', 'application/json').end('{"ok":true}');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ ready: true, port: typeof address === 'object' ? address?.port : 0 })}\n`,
  );
});
process.on('SIGTERM', () => process.exit(0));
