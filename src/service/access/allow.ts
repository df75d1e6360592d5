import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Role } from '../../runtime/settings/index.js';

/** Who a handler is for. `public`: everyone. `peer`: other instances. `author`: who may publish rules, see `AccessGuard`. */
export type Allowed = Role | 'public' | 'peer' | 'author';

export const ALLOWED = 'stakeout:allowed';
export const NO_CHANGE = 'stakeout:no-change';
/** In OpenAPI, of what is no GET and only answers a question. */
export const CHANGES_NOTHING = 'x-changes-nothing';

/** What a handler does that is no GET and no change of how the service works: it answers a question, or takes data in. */
export type NoChange = 'question' | 'data';

/** Least role for a handler, or for all of a controller that say nothing else. A handler without one is for nobody. */
export const Allow = (allowed: Allowed): MethodDecorator & ClassDecorator => SetMetadata(ALLOWED, allowed);

/** The audit trail is not told of such a handler. One that takes data in is still done once for an `Idempotency-Key`. */
export const NotAChange = (is: NoChange): MethodDecorator =>
  applyDecorators(SetMetadata(NO_CHANGE, is), ...(is === 'question' ? [ApiExtension(CHANGES_NOTHING, true)] : []));
