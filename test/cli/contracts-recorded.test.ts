// CI of this repository fails when a contract of its own streams/ is broken, or is not recorded.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCommand } from '../../src/cli/contracts/check-command.ts'
import { discover } from '../../src/runtime/discover.ts'
import { join } from 'node:path'
import { cliContext } from '../support/cli-context.ts'
import { TOP } from '../support/repository.ts'

const test = suite('contracts of streams/')

test('the contracts of this repository are as recorded, and break nothing', async () => {
  const context = cliContext({ json: true })
  let exit = 0
  await checkCommand(
    {
      ...context,
      deployment: (parts) => discover(join(TOP, 'streams'), parts),
      exitWith: (code) => void (exit = code),
    },
    {},
  )
  const { contracts, findings } = JSON.parse(context.out.text()) as { contracts: number; findings: unknown[] }
  assert.equal(findings, [])
  assert.is(exit, 0)
  assert.ok(contracts > 50, String(contracts))
})
test.run()
