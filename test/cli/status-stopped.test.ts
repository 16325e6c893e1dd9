import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stoppedIn } from '../../src/cli/status/print-who-runs.ts'
import type { UnitRow } from '../../src/cli/status/read-who-runs.ts'

const test = suite('units that no process can run')

function unit(processor: string, partition: number, state: UnitRow['state'], refused: readonly string[] = []): UnitRow {
  const none = { owner: undefined, position: 7, lag: 0, generation: 1 }
  return { unit: `${processor}-${partition}`, processor, state, refused, ...none }
}

test('status names their processors, how many they are and what ended them', () => {
  const units = [
    unit('pipeline-a', 0, 'running'),
    unit('pipeline-a', 1, 'refused', ['VERSION_OLDER']),
    unit('pipeline-b', 0, 'running', ['VERSION_OLDER']),
    unit('pipeline-c', 0, 'refused', ['MESSAGES_GONE', 'VERSION_OLDER']),
    unit('pipeline-c', 1, 'refused', ['MESSAGES_GONE']),
  ]
  assert.equal(stoppedIn({ units }), [
    { processor: 'pipeline-a', units: 1, of: 2, codes: ['VERSION_OLDER'] },
    { processor: 'pipeline-c', units: 2, of: 2, codes: ['MESSAGES_GONE', 'VERSION_OLDER'] },
  ])
})

test.run()
