/**
 * What lies between one service and the brokers: a proxy before each broker, which puts itself in the place of the broker wherever
 * a broker says where it, or another one, can be reached.
 *
 * 1. Messages of one connection and direction keep their order, whatever the delay.
 * 2. While it is silent nothing passes and no connection ends. What was sent meanwhile arrives afterwards, also when its sender is
 *    gone by then, as it does where TCP sends again what was not acknowledged.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './random.js';

const HOST = '127.0.0.1';
/** How answers name a broker: a compact string of 9 bytes, then the port in 4. */
const NAME = Buffer.concat([Buffer.from([HOST.length + 1]), Buffer.from(HOST)]);

export class Network {
  /** Every message takes so much longer. */
  delayMs = 0;
  /** Of so many answers, between 0 and 1, the connection is cut instead of giving it. */
  lostAnswers = 0;
  private reachable = true;
  private speaking: PromiseWithResolvers<void> | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly servers: Server[] = [];
  private readonly portBefore = new Map<number, number>();

  private constructor(private readonly dice: Dice) {}

  static async start(brokers: readonly string[], dice: Dice): Promise<Network> {
    const network = new Network(dice);
    for (const broker of brokers) {
      const port = Number(broker.split(':')[1]);
      const server = createServer((client) => network.serve(client, port)).listen(0, HOST);
      await once(server, 'listening');
      network.servers.push(server);
      network.portBefore.set(port, (server.address() as AddressInfo).port);
    }
    return network;
  }

  /** Where the service finds the brokers. */
  get brokers(): readonly string[] {
    return [...this.portBefore.values()].map((port) => `${HOST}:${port}`);
  }

  /** All connections end, and none can be made. */
  cut(): void {
    this.reachable = false;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  silence(): void {
    this.speaking ??= Promise.withResolvers<void>();
  }

  /** All is as it was before any fault. */
  heal(): void {
    this.reachable = true;
    this.delayMs = 0;
    this.lostAnswers = 0;
    this.speaking?.resolve();
    this.speaking = null;
  }

  async close(): Promise<void> {
    this.heal();
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(
      this.servers.map((server) => {
        server.close();
        return once(server, 'close');
      }),
    );
  }

  private serve(client: Socket, brokerPort: number): void {
    if (!this.reachable) {
      client.resetAndDestroy();
      return;
    }
    const broker = connect(brokerPort, HOST);
    const toBroker = this.carry(client, broker, (frame) => frame);
    const toClient = this.carry(broker, client, (frame) => (this.loses() ? null : this.renamed(frame)));
    for (const [socket, last, other] of [
      [client, toBroker, broker],
      [broker, toClient, client],
    ] as const) {
      socket.setNoDelay(true);
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        void last().then(() => other.end(() => other.destroy()));
      });
    }
  }

  /** Passes whole messages on, each by `change`; `null` cuts the connection. Returns what waits for all that has been sent. */
  private carry(from: Socket, to: Socket, change: (frame: Buffer) => Buffer | null): () => Promise<void> {
    let last: Promise<void> = Promise.resolve();
    const pass = async (frame: Buffer, before: Promise<void>, dueAt: number): Promise<void> => {
      await before;
      if (this.speaking !== null) await this.speaking.promise;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      const changed = change(frame);
      if (changed === null) {
        from.destroy();
        to.destroy();
      } else if (!to.destroyed) to.write(changed);
    };
    onFrames(from, (frame) => {
      last = pass(frame, last, this.delayMs === 0 ? 0 : performance.now() + this.delayMs);
    });
    return () => last;
  }

  private loses(): boolean {
    return this.lostAnswers > 0 && this.dice.chance(this.lostAnswers);
  }

  private renamed(frame: Buffer): Buffer {
    for (let at = frame.indexOf(NAME); at >= 0; at = frame.indexOf(NAME, at + 1)) {
      const portAt = at + NAME.length;
      if (portAt + 4 > frame.length) break;
      const port = this.portBefore.get(frame.readInt32BE(portAt));
      if (port !== undefined) frame.writeInt32BE(port, portAt);
    }
    return frame;
  }
}

/** Calls with each whole message: length in 4 bytes, then as many. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const length = 4 + rest.readInt32BE(0);
      take(Buffer.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  });
}
