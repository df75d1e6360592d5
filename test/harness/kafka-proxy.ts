import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One request on its way to the broker. */
export interface ProxiedRequest {
  /** Kafka's number of the request: 0 Produce, 12 Heartbeat, 26 EndTxn, 28 TxnOffsetCommit … */
  readonly apiKey: number;
  readonly frame: Buffer;
}

/**
 * What becomes of a request. `lose-answer`: the broker carries it out, and the connection is cut when it has answered. `lose`: the
 * connection is cut before the broker gets it. A promise holds the request back; later ones of the connection pass it.
 */
export type Verdict = 'forward' | 'lose' | 'lose-answer';

const HOST = '127.0.0.1';
/** How metadata names the broker: a compact string of 9 bytes, then the port in 4. */
const NAME = Buffer.concat([Buffer.from([HOST.length + 1]), Buffer.from(HOST)]);

/** Stands between a client and one broker, and puts itself into what the broker says of where it is. */
export class KafkaProxy {
  /** Asked about each request. */
  intercept: (request: ProxiedRequest) => Verdict | Promise<Verdict> = () => 'forward';
  /** False: whoever connects is cut off at once. */
  reachable = true;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly brokerPort: number,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  static async start(broker: string): Promise<KafkaProxy> {
    const server = createServer().listen(0, HOST);
    await once(server, 'listening');
    return new KafkaProxy(server, Number(broker.split(':')[1]));
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private serve(client: Socket): void {
    if (!this.reachable) {
      client.destroy();
      return;
    }
    const broker = connect(this.brokerPort, HOST);
    const cut = () => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    const cutAfter = new Set<number>();
    onFrames(client, async (frame) => {
      const verdict = await this.intercept({ apiKey: frame.readInt16BE(4), frame });
      if (verdict === 'lose') cut();
      else if (!broker.destroyed) {
        if (verdict === 'lose-answer') cutAfter.add(frame.readInt32BE(8));
        broker.write(frame);
      }
    });
    onFrames(broker, (frame) => {
      if (cutAfter.has(frame.readInt32BE(4))) cut();
      else client.write(this.renamed(frame));
    });
  }

  private renamed(frame: Buffer): Buffer {
    for (let at = frame.indexOf(NAME); at >= 0; at = frame.indexOf(NAME, at + 1)) {
      const portAt = at + NAME.length;
      if (frame.readInt32BE(portAt) === this.brokerPort) frame.writeInt32BE(this.port, portAt);
    }
    return frame;
  }
}

/** Calls with each whole message: length in 4 bytes, then as many. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const length = 4 + rest.readInt32BE(0);
      take(Buffer.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  });
}
