/** The service as a library: put it together from settings, with modules of your own around it. */
export type { Alert } from '../runtime/ports/alert.js';
export { loadSettings, type Settings } from '../runtime/settings/index.js';
export type { AlertSink } from '../runtime/sinks/alert-sink.js';
export { createService, type Service, type ServiceOptions } from './bootstrap.js';
export { type Composed, compose } from './compose/compose.js';
export { AlertContext, OnAlert, StakeoutStrategy } from './detection/index.js';
export type { ServiceParts } from './parts.js';
