import { aService, type TestService } from '../testing/a-service.js';

let test: TestService;
afterEach(() => test.service.stop());

describe('/v1/delivery', () => {
  it('says how alerts are delivered, and changes it while the service runs', async () => {
    test = await aService();
    await test.service.start();
    const get = () => test.service.app.inject({ method: 'GET', url: '/v1/delivery' });
    const put = (payload: object) => test.service.app.inject({ method: 'PUT', url: '/v1/delivery', payload });
    expect((await get()).json()).toEqual({ mode: 'exactly-once' });
    expect((await put({ mode: 'at-least-once' })).json()).toEqual({ mode: 'at-least-once' });
    expect((await get()).json()).toEqual({ mode: 'at-least-once' });
    const answer = await put({ mode: 'twice' });
    expect([answer.statusCode, answer.json().errors]).toEqual([
      400,
      [{ path: 'mode', message: 'one of exactly-once, at-least-once' }],
    ]);
    expect(test.detector.mode).toBe('at-least-once');
  });
});
