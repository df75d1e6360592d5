/**
 * Committed alerts as documents of Elasticsearch or OpenSearch, over the HTTP interface that both have.
 *
 * E1. A document's id is the alert's, and its index follows from the alert: writing it again writes the same document again. With
 *     `rollover: alias` the cluster chooses the index, and a repeat just after a rollover is there twice.
 * E2. `write` resolves only when every document is on all shards that the cluster waits for.
 * E3. Of a bulk each document has an answer of its own: what is refused for itself is told as refused, what may be taken later (429,
 *     5xx, a blocked index) is told as remaining, and only that is sent again.
 */
import type { Alert } from '../../runtime/ports/alert.js';
import { type AlertSink, PartlyWritten, type RefusedAlert } from '../../runtime/sinks/alert-sink.js';
import { type HttpAnswer, type HttpClient, HttpError } from '../http/http-client.js';
import { alertDocument, indexOf, indexTemplate, type Rollover } from './alert-document.js';

export interface ElasticsearchSinkOptions {
  readonly name: string;
  /** Closed with the sink. */
  readonly client: HttpClient;
  /** Nodes; one that does not answer is passed over. */
  readonly urls: readonly string[];
  /** Value of the header `authorization`. */
  readonly authorization?: string;
  readonly index: string;
  readonly rollover: Rollover;
  /** Write the index template (and the first index behind an alias). */
  readonly create: boolean;
  readonly shards: number;
  readonly replicas: number;
  /** Documents in one request, at most. */
  readonly batch: number;
}

/** It answered with an error that is none of an alert: no rights, no index, full, not Elasticsearch. */
export class ElasticsearchError extends Error {
  readonly code = 'ELASTICSEARCH_REFUSED';
}

interface Failure {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: { readonly reason?: string };
}
interface BulkItem {
  readonly status: number;
  readonly error?: Failure;
}

/** What the bulk API says with status 400 though it is none of the document: the cluster has as many shards as it may. */
const OF_CLUSTER = ['validation_exception', 'index_closed_exception', 'cluster_block_exception'];

export class ElasticsearchSink implements AlertSink {
  readonly name: string;
  /** The node that answered last. */
  private node = 0;
  private isReady = false;

  constructor(private readonly options: ElasticsearchSinkOptions) {
    this.name = options.name;
  }

  /** Throws `HttpError`, `ElasticsearchError`. */
  async prepare(): Promise<void> {
    const { create, index, rollover } = this.options;
    if (create) {
      const template = JSON.stringify(indexTemplate(index, rollover, this.options));
      await this.expectOk('PUT', `/_index_template/${encodeURIComponent(index)}`, template);
      if (rollover === 'alias') await this.makeAlias();
    }
    this.isReady = true;
  }

  /** Throws `PartlyWritten`. */
  async write(alerts: readonly Alert[]): Promise<void> {
    const refused: RefusedAlert[] = [];
    const remaining: Alert[] = [];
    let trouble = '';
    let parts = this.partsOf(alerts);
    try {
      if (!this.isReady) await this.prepare();
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        parts.unshift(part);
        const answer = await this.ask('POST', this.bulkPath(), this.bodyOf(part), 'application/x-ndjson');
        parts.shift();
        if (answer.status === 413) parts = [...this.halved(part, answer, refused), ...parts];
        else trouble = this.sort(part, answer, refused, remaining) ?? trouble;
      }
    } catch (cause) {
      const { message } = cause as Error;
      throw new PartlyWritten(message, refused, [...remaining, ...parts.flat()], { cause });
    }
    if (remaining.length > 0 || refused.length > 0)
      throw new PartlyWritten(trouble === '' ? 'some alerts were refused' : trouble, refused, remaining);
  }

  async close(): Promise<void> {
    this.options.client.close();
  }

  private partsOf(alerts: readonly Alert[]): (readonly Alert[])[] {
    const parts: (readonly Alert[])[] = [];
    for (let from = 0; from < alerts.length; from += this.options.batch)
      parts.push(alerts.slice(from, from + this.options.batch));
    return parts;
  }

  /** A request that is too large is sent in halves; an alert that is too large by itself is refused. */
  private halved(part: readonly Alert[], answer: HttpAnswer, refused: RefusedAlert[]): readonly (readonly Alert[])[] {
    if (part.length > 1) return [part.slice(0, part.length >> 1), part.slice(part.length >> 1)];
    refused.push({ alert: part[0]!, detail: `too large: ${answer.text.slice(0, 200)}` });
    return [];
  }

  /** Which of them are written, and which not. Returns why the rest remains. */
  private sort(
    part: readonly Alert[],
    answer: HttpAnswer,
    refused: RefusedAlert[],
    remaining: Alert[],
  ): string | undefined {
    const items = bulkItems(answer);
    // 429 and 5xx of the whole are of the cluster, as all else that is no answer to a bulk.
    if (items === null || items.length !== part.length) throw this.refusal(answer);
    let trouble: string | undefined;
    for (const [n, { status, error }] of items.entries()) {
      if (status < 300) continue;
      const detail = `${error?.type ?? status}: ${error?.reason ?? ''}${error?.caused_by?.reason === undefined ? '' : ` (${error.caused_by.reason})`}`;
      const isOfAlert = (status === 400 || status === 413) && !OF_CLUSTER.includes(error?.type ?? '');
      if (isOfAlert) refused.push({ alert: part[n]!, detail });
      else {
        remaining.push(part[n]!);
        trouble = `${this.options.urls[this.node]} does not take some documents now (${detail})`;
      }
    }
    return trouble;
  }

  private bulkPath(): string {
    return `/_bulk${this.options.rollover === 'alias' ? '?require_alias=true' : ''}`;
  }

  private bodyOf(alerts: readonly Alert[]): string {
    const { index, rollover } = this.options;
    return alerts
      .map((alert) => {
        const action = { index: { _index: indexOf(index, rollover, alert), _id: alert.id } };
        return `${JSON.stringify(action)}\n${JSON.stringify(alertDocument(alert))}\n`;
      })
      .join('');
  }

  /** The first index behind the alias; others come by rollover. */
  private async makeAlias(): Promise<void> {
    const { index } = this.options;
    const there = await this.ask('GET', `/_alias/${encodeURIComponent(index)}`);
    if (there.status === 200) return;
    const first = JSON.stringify({ aliases: { [index]: { is_write_index: true } } });
    const made = await this.ask('PUT', `/${encodeURIComponent(`${index}-000001`)}`, first);
    // Another process was quicker.
    if (made.status >= 300 && !made.text.includes('resource_already_exists_exception')) throw this.refusal(made);
  }

  private async expectOk(method: string, path: string, body: string): Promise<void> {
    const answer = await this.ask(method, path, body);
    if (answer.status >= 300) throw this.refusal(answer);
  }

  private refusal({ status, text }: HttpAnswer): ElasticsearchError {
    const hints: Readonly<Record<number, string>> = {
      401: ': check username and password, or apiKey',
      403: ': its user needs the rights create_index, index and manage_index_templates',
      404: ': check that the URL is that of Elasticsearch or OpenSearch',
    };
    const said = text.slice(0, 300);
    return new ElasticsearchError(
      `${this.options.urls[this.node]} answered ${status}${hints[status] ?? ''} (${said || 'nothing said'})`,
    );
  }

  /** Asks the node that answered last, and the others where it does not. Throws `HttpError` when none does. */
  private async ask(method: string, path: string, body?: string, type = 'application/json'): Promise<HttpAnswer> {
    const { urls, client, authorization } = this.options;
    const headers = {
      ...{ 'content-type': type, accept: 'application/json' },
      ...(authorization === undefined ? {} : { authorization }),
    };
    for (let tried = 1; ; tried++) {
      const url = `${urls[this.node]!.replace(/\/+$/, '')}${path}`;
      try {
        return await client.request({ method, url, headers, ...(body === undefined ? {} : { body }) });
      } catch (error) {
        this.node = (this.node + 1) % urls.length;
        if (!(error instanceof HttpError) || tried >= urls.length) throw error;
      }
    }
  }
}

/** The answers to single documents; `null`: it is no answer to a bulk. */
function bulkItems({ status, text }: HttpAnswer): readonly BulkItem[] | null {
  if (status !== 200) return null;
  try {
    const { items } = JSON.parse(text) as { readonly items?: readonly { readonly index?: BulkItem }[] };
    return items?.map(({ index }) => index ?? { status: 500 }) ?? null;
  } catch {
    return null;
  }
}
