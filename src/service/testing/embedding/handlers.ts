import { Controller, Module } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { Alert } from '../../../runtime/ports/alert.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { createService, type Service } from '../../bootstrap.js';
import { AlertContext, OnAlert } from '../../detection/index.js';
import type { ServiceParts } from '../../parts.js';

export const calls: string[] = [];

@Controller()
class FraudDesk {
  @OnAlert({ severity: 'high' })
  call(@Payload() alert: Alert, @Ctx() context: AlertContext): void {
    calls.push(`${alert.key}: ${alert.message} (${context.traceparent ?? 'no trace'})`);
  }
}

@Module({ controllers: [FraudDesk] })
class FraudDeskModule {}

/** `parts` are what `compose(settings, …)` makes of the settings. */
export async function startWithHandlers(settings: Settings, parts: ServiceParts): Promise<Service> {
  const service = await createService(settings, parts, { modules: [FraudDeskModule] });
  await service.start();
  return service;
}
