import { SetMetadata } from '@nestjs/common';
import type { Role } from '../../runtime/settings/index.js';

/** Who a handler is for. `public`: everyone. `peer`: other instances. `author`: who may publish rules, see `AccessGuard`. */
export type Allowed = Role | 'public' | 'peer' | 'author';

export const ALLOWED = 'stakeout:allowed';
export const NOT_A_CHANGE = 'stakeout:not-a-change';

/** Least role for a handler, or for all of a controller that say nothing else. A handler without one is for nobody. */
export const Allow = (allowed: Allowed): MethodDecorator & ClassDecorator => SetMetadata(ALLOWED, allowed);

/** Of a handler that is no GET: it changes nothing of how the service works (it reads, or takes data in), so the audit trail is not told. */
export const NotAChange = (): MethodDecorator => SetMetadata(NOT_A_CHANGE, true);
