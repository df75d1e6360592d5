import { EventPattern } from '@nestjs/microservices';
import type { AlertFilter } from './alert-filter.js';

/**
 * Calls a controller's method with each alert that fits: `@OnAlert({ severity: 'high' })` is
 * `@EventPattern({ alert: { severity: 'high' } })`. The method gets the `Alert` as `@Payload()` and an `AlertContext` as `@Ctx()`.
 *
 * A handler sees the alerts that this process finds, at most once each, after they are committed. Where every alert must
 * arrive, follow the alerts topic (`AlertSink`).
 */
export function OnAlert(filter: AlertFilter = {}): MethodDecorator {
  return EventPattern(Object.keys(filter).length === 0 ? 'alert' : { alert: filter });
}
