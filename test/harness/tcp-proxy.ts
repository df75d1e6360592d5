import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server, which it can make unreachable without ending it. */
export class TcpProxy {
  /** False: whoever connects is cut off at once. */
  private reachable = true;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly to: number,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  static async start(port: number): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, port);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The same URL, by way of the proxy. */
  static async before(url: string): Promise<{ readonly proxy: TcpProxy; readonly url: string }> {
    const parsed = new URL(url);
    const proxy = await TcpProxy.start(Number(parsed.port));
    return { proxy, url: url.replace(`:${parsed.port}`, `:${proxy.port}`) };
  }

  /** Cuts what is connected, and whoever comes. */
  cut(): void {
    this.reachable = false;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.reachable = true;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(client: Socket): void {
    if (!this.reachable) {
      client.destroy();
      return;
    }
    const server = connect(this.to, '127.0.0.1');
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
