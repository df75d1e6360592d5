/** The threads of a service that was started with `--inspect`, seen and ended through Node's inspector. */
import { until } from '../../harness/until.js';
import type { ServiceProcess } from './service.js';

/** Any free port. */
export const INSPECT = '--inspect=127.0.0.1:0';

interface Attached {
  readonly sessionId: string;
  readonly workerInfo: { readonly title: string };
}

export class Threads {
  private readonly sessions: Attached[] = [];
  private lastId = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as { method?: string; params: unknown };
      if (method === 'NodeWorker.attachedToWorker') this.sessions.push(params as Attached);
    });
  }

  static async of(service: ServiceProcess): Promise<Threads> {
    const url = await until(() => /Debugger listening on (ws:\S+)/.exec(service.errors)?.[1], 'the inspector');
    const socket = new WebSocket(url!);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    const threads = new Threads(socket);
    threads.send('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return threads;
  }

  /** Ends a thread as `process.exit` in it would, in the middle of whatever it does. The name as the thread was given it. */
  async end(name: string): Promise<void> {
    const thread = await until(
      () => this.sessions.findLast(({ workerInfo }) => workerInfo.title.includes(name)),
      () => `the thread ${name} among ${JSON.stringify(this.sessions)}`,
    );
    const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(3)' } });
    this.send('NodeWorker.sendMessageToWorker', { sessionId: thread!.sessionId, message });
  }

  close(): void {
    this.socket.close();
  }

  private send(method: string, params: object): void {
    this.socket.send(JSON.stringify({ id: ++this.lastId, method, params }));
  }
}
