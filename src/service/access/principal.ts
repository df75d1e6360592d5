import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ROLES, type Role } from '../../runtime/settings/index.js';

/** Who asks. */
export class Principal {
  constructor(
    readonly name: string,
    readonly role: Role,
    /** How it is known who it is; `none`: nobody has to say. */
    readonly by: 'none' | 'key' | 'token' | 'peer',
  ) {}

  may(role: Role): boolean {
    return ROLES.indexOf(this.role) >= ROLES.indexOf(role);
  }

  /** Under which name a change is kept. `claimed` counts where nobody has to say who they are. */
  signs(claimed: unknown): string {
    const name = typeof claimed === 'string' ? claimed.trim() : '';
    return this.by === 'none' && name !== '' ? name : this.name;
  }
}

/** Where nobody has to say who they are, everyone may everything. */
export const ANYONE = new Principal('anonymous', 'operator', 'none');

/** Another instance. */
export const PEER = new Principal('instance', 'operator', 'peer');

const principals = new WeakMap<object, Principal>();

/** `undefined`: nobody who is known. */
export const principalOf = (request: FastifyRequest): Principal | undefined => principals.get(request.raw);

export const setPrincipal = (request: FastifyRequest, principal: Principal): void =>
  void principals.set(request.raw, principal);

/** Parameter of a handler: who asks. The guard has let nobody through who is not known. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === undefined) throw new Error('a handler that asks for its caller needs a role');
  return principal;
});
