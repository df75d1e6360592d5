import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/**
 * Connections on which nothing was asked yet, such as a browser opens ahead of need. Node waits for them when a server closes,
 * as if a request were under way, and one of them would hold up the end for minutes.
 */
export class SilentConnections {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  constructor(server: Server) {
    // Of HTTPS, what a request knows is the connection inside.
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      if (this.isCut) {
        socket.destroy();
        return;
      }
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('request', ({ socket }) => this.sockets.delete(socket));
  }

  /** Cuts them, and whatever comes from now on. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }
}
