import { Controller, Module } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import type { Alert } from '../../runtime/ports/alert.js';
import { anAlert } from '../testing/an-alert.js';
import { FakeDetector } from '../testing/fake-detector.js';
import { AlertDispatcher } from './alert-dispatcher.js';
import { alertFilterOf } from './alert-filter.js';
import { AlertContext, OnAlert, StakeoutStrategy } from './index.js';

const calls: string[] = [];

@Controller()
class Handlers {
  @EventPattern('alert')
  every(@Payload() alert: Alert): void {
    calls.push(`every ${alert.id}`);
  }

  @OnAlert()
  traced(@Payload() alert: Alert, @Ctx() context: AlertContext): void {
    calls.push(`traced ${alert.id} ${context.traceparent}`);
  }

  @OnAlert()
  broken(): void {
    throw new Error('handler is broken');
  }

  @EventPattern({ alert: { pattern: 'offshore-drain' } })
  async drain(@Payload() alert: Alert): Promise<void> {
    await Promise.resolve();
    calls.push(`drain ${alert.id}`);
  }

  @OnAlert({ severity: 'critical' })
  critical(@Payload() alert: Alert): void {
    calls.push(`critical ${alert.id}`);
  }

  @MessagePattern('alert')
  notOurs(): void {
    calls.push('message');
  }

  @EventPattern('something else')
  neither(@Payload() _data: unknown): void {
    calls.push('something else');
  }
}

@Module({ controllers: [Handlers] })
class HandlersModule {}

async function started(detector: FakeDetector) {
  const errors: string[] = [];
  const strategy = new StakeoutStrategy({
    createDetector: async (listener) => {
      detector.listener = listener;
      return detector;
    },
    listeners: [
      {
        onAlert: () => {
          throw new Error('listener is broken');
        },
      },
    ],
    traces: null,
    onHandlerError: (error) => errors.push((error as Error).message),
    onListenerError: (error) => errors.push((error as Error).message),
  });
  const testing = await Test.createTestingModule({ imports: [HandlersModule] }).compile();
  const app = testing.createNestMicroservice({ strategy, logger: false });
  return { app, strategy, errors };
}

describe('StakeoutStrategy', () => {
  beforeEach(() => calls.splice(0));

  it('starts with Nest, hands alerts to the handlers they fit, and stops when all are handled', async () => {
    const detector = new FakeDetector();
    const { app, strategy, errors } = await started(detector);
    expect(strategy.detectorStatus()).toBeNull();
    await app.listen();
    expect(strategy.detectorStatus()?.phase).toBe('running');
    detector.listener.onAlert?.(anAlert({ id: '1' }), 'tp');
    detector.listener.onAlert?.(anAlert({ id: '2', patternId: 'other', severity: 'critical' }), null);
    await app.close();
    expect(detector.stops).toBe(1);
    expect(calls).toEqual(['every 1', 'traced 1 tp', 'drain 1', 'every 2', 'traced 2 null', 'critical 2']);
    expect(strategy.handlerStatus()).toEqual({ waiting: 0, handled: 6, failed: 2, dropped: 0 });
    expect(errors.toSorted()).toEqual([
      'Internal server error',
      'Internal server error',
      'listener is broken',
      'listener is broken',
    ]);
  });

  it('fails the start of the microservice when the detector does not start', async () => {
    const detector = new FakeDetector();
    detector.startError = new Error('no broker');
    const { app } = await started(detector);
    await expect(app.listen()).rejects.toThrow('no broker');
    await app.close();
  });

  it('tells phases', async () => {
    const detector = new FakeDetector();
    const { app, strategy } = await started(detector);
    const phases: string[] = [];
    strategy.on('phase', (phase) => phases.push(phase));
    await app.listen();
    await app.close();
    expect(phases).toEqual(['running', 'stopped']);
  });
});

describe('alertFilterOf', () => {
  it('refuses what would never be called', () => {
    expect(() => alertFilterOf({ alert: { patern: 'x' } })).toThrow('expected pattern or severity, got patern');
    expect(alertFilterOf({ cmd: 'x' })).toBeNull();
  });
});

it('drops the newest alerts when too many wait for a handler that hangs', async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const dispatcher = new AlertDispatcher(() => {});
  dispatcher.add({}, () => held);
  for (let n = 0; n < 10_003; n++) dispatcher.dispatch(anAlert(), null);
  // The first is with the handler already.
  expect(dispatcher.status()).toMatchObject({ waiting: 10_000, dropped: 2 });
  release();
  await dispatcher.drained();
  expect(dispatcher.status()).toMatchObject({ waiting: 0, handled: 10_001 });
});
