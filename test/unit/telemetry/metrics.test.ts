import { afterEach, expect, jest, test } from '@jest/globals';
import { Metrics } from '../../../src/telemetry/metrics.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test('a scrape never asks for the objects of open handles, which ends a process where one was collected', async () => {
  const asked = jest.spyOn(
    process as unknown as { _getActiveHandles(): object[] },
    '_getActiveHandles',
  );
  const text = await new Metrics(true).registry.metrics();
  expect(asked).not.toHaveBeenCalled();
  expect(text).toMatch(/^nodejs_active_resources_total \d+$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});
