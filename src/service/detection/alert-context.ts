import { BaseRpcContext } from '@nestjs/microservices';

/** What a handler of alerts may know beside the alert. */
export class AlertContext extends BaseRpcContext<[traceparent: string | null]> {
  /**
   * W3C trace context to go on from: the alert's span where traces are on, else that of the record which completed the
   * match; `null` where it had none.
   */
  get traceparent(): string | null {
    return this.args[0];
  }
}
