import { expect, test } from '@jest/globals';
import { RouteTable } from '../../../src/ops/route-table.js';

test('knows the methods of a path, and of no other: a dot is a dot', () => {
  const table = new RouteTable();
  table.add(['GET', 'HEAD'], '/openapi.json');
  table.add('PUT', '/log/level');
  table.add('POST', '/sessions/:id/kick');
  expect(table.methodsOf('/openapi.json')).toEqual(['GET']);
  // 405 "use GET" would be the answer to a GET of it.
  expect(table.methodsOf('/openapiXjson')).toEqual([]);
  expect(table.methodsOf('/log/level')).toEqual(['PUT']);
  expect(table.methodsOf('/sessions/a/kick')).toEqual(['POST']);
  expect(table.methodsOf('/sessions/a/b/kick')).toEqual([]);
});
