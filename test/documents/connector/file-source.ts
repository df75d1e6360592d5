import { open, readFile, writeFile } from 'node:fs/promises';
import type { Clock } from '../../../src/runtime/ports/clock.js';
import type { Log, LogProducer } from '../../../src/runtime/ports/log.js';
import type { BackgroundPart } from '../../../src/service/parts.js';
import type { TransactionIngest } from '../../../src/service/transactions/transaction-ingest.js';

export interface FileSourceOptions {
  /** Lines of JSON are added at its end; where reading is, is kept in `<file>.position`. */
  readonly file: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly ingest: TransactionIngest;
  /** Told of a line that is no event of the stream, and left out. */
  readonly onRefused: (line: string) => void;
}

const POLL_MS = 500;
const BYTES_AT_ONCE = 1_048_576;

/** Follows a file, and sends its lines to the stream's topic. */
export class FileSource implements BackgroundPart {
  readonly name = 'file source';
  private position = 0;
  private producer: LogProducer | null = null;
  private cancel: () => void = () => undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly options: FileSourceOptions) {}

  async start(): Promise<void> {
    const { log, ingest, file } = this.options;
    await ingest.prepare();
    this.producer = await log.producer();
    this.position = Number(await readFile(`${file}.position`, 'utf8').catch(() => '0'));
    this.again();
  }

  async stop(): Promise<void> {
    this.cancel();
    await this.working;
    this.cancel();
    await this.producer?.close();
  }

  private again(): void {
    this.cancel = this.options.clock.schedule(POLL_MS, () => {
      this.working = this.sendMore()
        .catch(() => undefined)
        .finally(() => this.again());
    });
  }

  /** Sends the whole lines that are new. What throws is tried again at the next turn, from the same place. */
  private async sendMore(): Promise<void> {
    const { file, ingest } = this.options;
    const text = await readFrom(file, this.position);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole === '') return;
    const records = whole.split('\n').flatMap((line) => this.recordOf(line));
    await this.producer!.send(records.map(({ key, value }) => ({ topic: ingest.topic, key, value })));
    // Only now: a crash before this sends the lines again, and loses none.
    this.position += Buffer.byteLength(whole);
    await writeFile(`${file}.position`, String(this.position));
  }

  private recordOf(line: string) {
    if (line.trim() === '') return [];
    const encoded = this.options.ingest.encode(parsed(line));
    if (encoded.ok) return [encoded.transaction];
    this.options.onRefused(line);
    return [];
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

async function readFrom(file: string, position: number): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BYTES_AT_ONCE), 0, BYTES_AT_ONCE, position);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
