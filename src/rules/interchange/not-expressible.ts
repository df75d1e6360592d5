/** Why a rule cannot be written in another language. */
export class NotExpressible extends Error {
  readonly code = 'NOT_EXPRESSIBLE';
}
