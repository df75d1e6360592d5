import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Stores } from '../connectors/alert-store/stores.js';
import type { TestStream } from '../rules/index.js';
import type { CheckpointStatus } from '../runtime/checkpoint/options.js';
import type { Clock } from '../runtime/ports/clock.js';
import type { Settings } from '../runtime/settings/index.js';
import type { AlertSinkFollower } from '../runtime/sinks/alert-sink-follower.js';
import { AccessGuard } from './access/access.guard.js';
import { Access } from './access/access.js';
import { KeyNames } from './access/key-names.js';
import { LoginController } from './access/login.controller.js';
import { MeController } from './access/me.controller.js';
import { PersonalMask } from './access/personal-mask.js';
import { AlertDesk } from './alerts/alert-desk.js';
import { AlertKeys } from './alerts/alert-keys.js';
import { AlertView } from './alerts/alert-view.js';
import { AlertsController } from './alerts/alerts.controller.js';
import { LiveStreams } from './alerts/live-stream.js';
import { SnoozesController } from './alerts/snoozes.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditInterceptor } from './audit/audit.interceptor.js';
import { AuditTrail } from './audit/audit-trail.js';
import { AuthoringController } from './authoring/authoring.controller.js';
import type { BacktestJobs } from './backtests/backtest-jobs.js';
import { BacktestsController } from './backtests/backtests.controller.js';
import { DecisionsController } from './decisions/decisions.controller.js';
import { Decisions } from './decisions/decisions.js';
import { StakeoutStrategy } from './detection/index.js';
import type { Explain } from './explanations/explain.js';
import { ExplanationsController } from './explanations/explanations.controller.js';
import { FeaturesController } from './features/features.controller.js';
import { KeyFeatureReader } from './features/key-features.js';
import type { PlaceOf } from './features/rule-place.js';
import type { TableFeeds } from './feeds/table-feeds.js';
import { HealthController } from './health/health.controller.js';
import { HealthChecks } from './health/health.js';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.js';
import type { ListControl } from './lists/list-control.js';
import { ListsController } from './lists/lists.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { Metrics } from './metrics/metrics.js';
import { OutlineController } from './outline/outline.controller.js';
import type { RuleReading } from './outline/rule-reading.js';
import type { RiskReader } from './parts.js';
import { PatternsController } from './patterns/patterns.controller.js';
import { RevisionsController } from './rules/revisions.controller.js';
import type { RuleControl } from './rules/rule-control.js';
import { RulesController } from './rules/rules.controller.js';
import type { SavepointJobs } from './savepoints/savepoint-jobs.js';
import { SavepointsController } from './savepoints/savepoints.controller.js';
import type { SourceControl } from './sources/source-control.js';
import { SourcesController } from './sources/sources.controller.js';
import { DeliveryController } from './status/delivery.controller.js';
import { LanesController } from './status/lanes.controller.js';
import { RiskController } from './status/risk.controller.js';
import { StatusController } from './status/status.controller.js';
import type { SwitchControl } from './switches/switch-control.js';
import { SwitchesController } from './switches/switches.controller.js';
import { TemplatesController } from './templates/templates.controller.js';
import {
  AUDIT,
  BACKTESTS,
  CHECKPOINTS,
  CLOCK,
  EXPLAINER,
  FEEDS,
  LISTS,
  PLACE_OF,
  REPLIES,
  RISK,
  RULE_READING,
  RULES,
  SAVEPOINTS,
  SETTINGS,
  SINKS,
  SOURCES,
  SWITCHES,
  TEST_STREAMS,
} from './tokens.js';
import { TransactionWriter } from './transactions/transaction-writer.js';
import { TransactionsController } from './transactions/transactions.controller.js';

/** What the controllers are given; made by `createService`, which also starts and stops it. */
export interface ServiceObjects {
  readonly settings: Settings;
  readonly access: Access;
  readonly stores: Stores;
  readonly trail: AuditTrail;
  readonly mask: PersonalMask;
  readonly keys: KeyNames;
  readonly clock: Clock;
  readonly strategy: StakeoutStrategy;
  readonly view: AlertView;
  readonly desk: AlertDesk;
  readonly streams: LiveStreams;
  readonly writer: TransactionWriter;
  readonly decisions: Decisions;
  readonly health: HealthChecks;
  readonly metrics: Metrics;
  readonly sinks: readonly AlertSinkFollower[];
  readonly risk: RiskReader | null;
  readonly savepoints: SavepointJobs | null;
  readonly backtests: BacktestJobs | null;
  /** `null`: rules cannot be changed while it runs. */
  readonly rules: RuleControl | null;
  readonly reading: RuleReading | null;
  readonly explain: Explain | null;
  readonly alertKeys: AlertKeys;
  readonly lists: ListControl | null;
  readonly switches: SwitchControl | null;
  readonly feeds: TableFeeds | null;
  readonly sources: SourceControl | null;
  readonly checkpoints: () => readonly CheckpointStatus[];
  readonly testStreams: readonly TestStream[];
  readonly placeOf: PlaceOf | null;
}

/** Nest's root module. Applications add modules of their own beside it: controllers with handlers of alerts, for example. */
@Module({})
class ServiceModule {}

export function serviceModule(objects: ServiceObjects, imports: ModuleMetadata['imports'] = []): DynamicModule {
  return {
    module: ServiceModule,
    imports,
    controllers: [
      AlertsController,
      AuditController,
      AuthoringController,
      BacktestsController,
      DecisionsController,
      DeliveryController,
      ExplanationsController,
      FeaturesController,
      HealthController,
      LanesController,
      ListsController,
      LoginController,
      MeController,
      MetricsController,
      OutlineController,
      PatternsController,
      RevisionsController,
      RiskController,
      RulesController,
      SavepointsController,
      SnoozesController,
      SourcesController,
      StatusController,
      SwitchesController,
      TemplatesController,
      TransactionsController,
    ],
    providers: [
      { provide: APP_GUARD, useClass: AccessGuard },
      // The trail is told of answers that are given again, too.
      { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
      { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
      { provide: PersonalMask, useValue: objects.mask },
      { provide: KeyNames, useValue: objects.keys },
      { provide: AuditTrail, useValue: objects.trail },
      { provide: AUDIT, useValue: objects.stores.audit },
      { provide: REPLIES, useValue: objects.stores.replies },
      { provide: CLOCK, useValue: objects.clock },
      { provide: Access, useValue: objects.access },
      { provide: SETTINGS, useValue: objects.settings },
      { provide: StakeoutStrategy, useValue: objects.strategy },
      { provide: AlertView, useValue: objects.view },
      { provide: AlertDesk, useValue: objects.desk },
      { provide: LiveStreams, useValue: objects.streams },
      { provide: TransactionWriter, useValue: objects.writer },
      { provide: Decisions, useValue: objects.decisions },
      { provide: HealthChecks, useValue: objects.health },
      { provide: Metrics, useValue: objects.metrics },
      { provide: SINKS, useValue: objects.sinks },
      { provide: RISK, useValue: objects.risk },
      { provide: BACKTESTS, useValue: objects.backtests },
      { provide: SAVEPOINTS, useValue: objects.savepoints },
      { provide: EXPLAINER, useValue: objects.explain },
      { provide: AlertKeys, useValue: objects.alertKeys },
      { provide: RULE_READING, useValue: objects.reading },
      { provide: RULES, useValue: objects.rules },
      { provide: LISTS, useValue: objects.lists },
      { provide: SWITCHES, useValue: objects.switches },
      { provide: FEEDS, useValue: objects.feeds },
      { provide: PLACE_OF, useValue: objects.placeOf },
      KeyFeatureReader,
      { provide: SOURCES, useValue: objects.sources },
      { provide: TEST_STREAMS, useValue: objects.testStreams },
      { provide: CHECKPOINTS, useValue: objects.checkpoints },
    ],
  };
}
