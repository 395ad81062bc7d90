import { Client, type ClientOptions, GatewayIntentBits, type Message, Partials } from 'discord.js';

/** What a test needs to know of the emulated platform. */
interface Platform {
  readonly apiUrl: string;
  readonly token: string;
}

/** Clients of a test, ended together. */
export interface Clients {
  make(platform: Platform, options?: Partial<ClientOptions>): Client;
  /** Logs in and waits until every guild is known. */
  login(platform: Platform, options?: Partial<ClientOptions>): Promise<Client>;
  end(): Promise<void>;
}

const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMembers,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
];

export function discordJsClients(): Clients {
  const made: Client[] = [];
  const clients: Clients = {
    make: ({ apiUrl }, options) => {
      const client = new Client({
        intents: INTENTS,
        // Without them nothing is heard of direct messages, nor of edits and reactions of what came before the start.
        partials: [Partials.Channel, Partials.Message, Partials.Reaction],
        rest: { api: apiUrl, offset: 0, retries: 0 },
        // By itself the library waits five seconds of real time between two IDENTIFYs.
        ws: { buildIdentifyThrottler: () => ({ waitForIdentify: async () => {} }) },
        ...options,
      });
      // Without a listener an error event would throw; tests look at what the client does instead.
      client.on('error', () => {});
      made.push(client);
      return client;
    },
    login: async (platform, options) => {
      const client = clients.make(platform, options);
      const isReady = new Promise((resolve) => client.once('clientReady', resolve));
      await client.login(platform.token);
      await isReady;
      return client;
    },
    end: async () => {
      await Promise.all(made.map((client) => client.destroy()));
    },
  };
  return clients;
}

export function nextMessage(client: Client): Promise<Message> {
  return new Promise((resolve) => client.once('messageCreate', resolve));
}
