import { createHash } from 'node:crypto';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastValueFrom, type Observable, of } from 'rxjs';
import type { Clock } from '../../runtime/ports/clock.js';
import type { ReplyState, ReplyStore } from '../../runtime/ports/reply-store.js';
import { NO_CHANGE, type NoChange } from '../access/allow.js';
import { principalOf } from '../access/principal.js';
import { invalidInput, Problem, problemBody, unavailable } from '../problems/problem.js';
import { CLOCK, REPLIES } from '../tokens.js';

export const KEY_MAX = 200;
/** Longer than any request takes: who began it is gone. */
const STALE_MS = 120_000;

/**
 * A POST with an `Idempotency-Key` is done once: the same request with the same key, by the same caller, gets the same answer again. One that failed
 * may be tried again.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    @Inject(REPLIES) private readonly replies: ReplyStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const given = request.headers['idempotency-key'];
    const isQuestion = this.reflector.get<NoChange | undefined>(NO_CHANGE, context.getHandler()) === 'question';
    if (request.method !== 'POST' || given === undefined || isQuestion) return next.handle();
    const key = keyOf(request, given);
    const digest = createHash('sha256')
      .update(JSON.stringify(request.body ?? null))
      .digest('hex');
    const state = await this.begin(key, digest);
    const reply = http.getResponse<FastifyReply>();
    if (typeof state === 'object') {
      void reply.status(state.status).header('idempotency-replayed', 'true');
      return of(JSON.parse(state.body) as unknown);
    }
    if (state === 'busy')
      throw new Problem(problemBody(409, 'IDEMPOTENCY_BUSY', 'A request with this Idempotency-Key is under way.'));
    if (state === 'other')
      throw new Problem(
        problemBody(422, 'IDEMPOTENCY_REUSED', 'Another request had this Idempotency-Key: take a new one.'),
      );
    return of(await this.once(key, reply, next));
  }

  private async once(key: string, reply: FastifyReply, next: CallHandler): Promise<unknown> {
    try {
      const body: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      await this.replies.end(key, { status: reply.statusCode, body: JSON.stringify(body ?? null) });
      return body;
    } catch (error) {
      await this.replies.forget(key).catch(() => undefined);
      throw error;
    }
  }

  private async begin(key: string, digest: string): Promise<ReplyState> {
    const now = this.clock.now();
    try {
      await this.replies.open();
      return await this.replies.begin(key, digest, now, now - STALE_MS);
    } catch (cause) {
      throw unavailable('REPLIES_AWAY', 'The store of answers does not answer, which an Idempotency-Key needs.', cause);
    }
  }
}

/** Keys of one caller are nothing to another. */
function keyOf(request: FastifyRequest, given: string | readonly string[]): string {
  if (typeof given !== 'string' || given === '' || given.length > KEY_MAX)
    throw invalidInput('The Idempotency-Key does not hold.', [
      { path: 'idempotency-key', message: `a text of 1 to ${KEY_MAX} characters` },
    ]);
  const { name = '', by = 'none' } = principalOf(request) ?? {};
  return JSON.stringify([by, name, request.url, given]);
}
