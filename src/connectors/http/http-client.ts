import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import type { Clock } from '../../runtime/ports/clock.js';

export interface HttpClientOptions {
  readonly clock: Clock;
  /** Longest wait for a whole answer. */
  readonly timeoutMs: number;
  /** Connections to one server, at most. Default 32. */
  readonly connectionsMax?: number;
  readonly tls?: {
    /** PEM text; absent: the authorities of Node.js. */
    readonly ca?: string | undefined;
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
    readonly verify?: boolean | undefined;
  };
}

export interface HttpAsked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** No answer: no connection, it broke, it took too long, its certificate does not hold. Any status is an answer. */
export class HttpError extends Error {
  readonly code = 'HTTP_NO_ANSWER';
}

/**
 * HTTP with connections that are kept, and certificates of one's own, which `fetch` of Node.js takes none of. Redirections are not
 * followed.
 */
export class HttpClient {
  private readonly agents: { readonly http: Agent; readonly https: SecureAgent };

  constructor(private readonly options: HttpClientOptions) {
    const { connectionsMax = 32, tls = {} } = options;
    const kept = { keepAlive: true, maxSockets: connectionsMax, maxFreeSockets: connectionsMax };
    const secure = { ca: tls.ca, cert: tls.certificate, key: tls.key, rejectUnauthorized: tls.verify ?? true };
    this.agents = { http: new Agent(kept), https: new SecureAgent({ ...kept, ...secure }) };
  }

  /** Throws `HttpError`. */
  async request(asked: HttpAsked): Promise<HttpAnswer> {
    const { origin } = new URL(asked.url);
    try {
      return await this.send(asked);
    } catch (cause) {
      // A refused connection to several addresses has no message of its own.
      const { message, code } = cause as Error & { readonly code?: string };
      const said = message || code || 'no reason given';
      throw new HttpError(
        `${origin} does not answer (${said}): see that it runs there, and that this machine may reach it`,
        { cause },
      );
    }
  }

  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private send({ method, url, headers, body = '' }: HttpAsked): Promise<HttpAnswer> {
    const { clock, timeoutMs } = this.options;
    const isSecure = url.startsWith('https:');
    const open = isSecure ? httpsRequest : httpRequest;
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    return new Promise<HttpAnswer>((resolve, reject) => {
      const agent = isSecure ? this.agents.https : this.agents.http;
      const request = open(url, { method, agent, headers: { ...headers, ...length } });
      const cancel = clock.schedule(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      const failed = (error: Error): void => {
        cancel();
        reject(error);
      };
      request.on('error', failed);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', failed);
        response.on('end', () => {
          cancel();
          const { statusCode = 0, headers: answered } = response;
          resolve({ status: statusCode, headers: answered, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      request.end(body);
    });
  }
}
