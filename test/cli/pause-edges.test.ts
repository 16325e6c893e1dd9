import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { edgesNamed } from '../../src/cli/pause/pause-handlers.ts'
import type { DeployedEdge } from '../../src/runtime/deployed-edges.ts'
import { faultOf } from '../support/numbered.ts'

const test = suite('cli: sinks and sources that stand still')

const edge = (id: string, name: string, kind: string): DeployedEdge =>
  ({ id, declaration: { kind, name }, stream: {} }) as unknown as DeployedEdge
const EDGES = [
  edge('sink-archive', 'archive', 'file-sink'),
  edge('source-orders', 'orders', 'file-source'),
  edge('source-api', 'api', 'http-source'),
]

test('a name means a sink or a source, and --all every one that can stand still', () => {
  assert.equal(edgesNamed(EDGES, 'archive', undefined), ['sink-archive'])
  assert.equal(edgesNamed(EDGES, 'source-orders', undefined), ['source-orders'])
  assert.equal(edgesNamed(EDGES, 'nobody', undefined), [])
  assert.equal(edgesNamed(EDGES, undefined, true), ['sink-archive', 'source-orders'])
  assert.equal(edgesNamed(undefined, 'archive', undefined), [])
})

test('an HTTP source cannot, and that is said in place of a pause that is none', async () => {
  const error = await faultOf(Promise.resolve().then(() => edgesNamed(EDGES, 'api', undefined)))
  assert.is(error.code, 'USAGE')
  assert.match(error.detail, /source-api answers requests/)
})

test.run()
