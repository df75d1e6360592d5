import { call, type Query } from './client.js';

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads the text of server-sent events, in whatever pieces it comes. */
export class EventParser {
  private rest = '';
  private id = '';
  private event = '';
  private data: string[] = [];

  feed(text: string): ServerEvent[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    return lines.flatMap((line) => this.line(line));
  }

  private line(line: string): ServerEvent[] {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return [];
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id') this.id = value;
    return [];
  }

  private dispatch(): ServerEvent[] {
    const event = { id: this.id, event: this.event || 'message', data: this.data.join('\n') };
    const complete = this.data.length > 0;
    this.data = [];
    this.event = '';
    return complete ? [event] : [];
  }
}

export interface StreamOptions {
  readonly query?: Query;
  readonly onEvent: (event: ServerEvent) => void;
  /** Told when it is open, and when it is not. */
  readonly onState?: (open: boolean) => void;
  /** The stream ends by itself, and is not opened again then. */
  readonly once?: boolean;
}

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 15_000;

/**
 * Follows a stream of server-sent events until the function that it answers with is called: opened again behind the last event
 * when it breaks. `EventSource` cannot send the header that says who asks.
 */
export function follow(path: string, { query, onEvent, onState, once }: StreamOptions): () => void {
  const stop = new AbortController();
  void (async () => {
    let lastId = '';
    let wait = RETRY_MIN_MS;
    while (!stop.signal.aborted) {
      try {
        const answer = await call(path, {
          query,
          signal: stop.signal,
          ...(lastId && { headers: { 'last-event-id': lastId } }),
        });
        onState?.(true);
        wait = RETRY_MIN_MS;
        const parser = new EventParser();
        const decoder = new TextDecoder();
        for await (const bytes of chunks(answer.body!)) {
          for (const event of parser.feed(decoder.decode(bytes, { stream: true }))) {
            if (event.id !== '') lastId = event.id;
            onEvent(event);
          }
        }
        if (once) return;
      } catch {
        // It is opened again below; whoever shows the state has been told that it is not open.
      }
      if (stop.signal.aborted) return;
      onState?.(false);
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(RETRY_MAX_MS, wait * 2);
    }
  })();
  return () => stop.abort();
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
