// What CI has of the soak named chaos: three worker processes share every unit of soak/streams, and are killed and frozen
// with the server. `npm run soak -- chaos` goes on for longer.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runChaos } from '../../soak/chaos/run-chaos.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('chaos')

const SECONDS = 45
/** Five pipelines over sixteen partitions. */
const UNITS = 80

test('K1 C1 C2 C3 O1 O2 O3 F4 P2 workers and server killed and frozen for 45 s: outputs as of one uninterrupted run', async () => {
  const server = await ownServer()
  const victim = {
    killAndRestart: async (onBack: () => void) => {
      await server.kill()
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_500))
      await server.restart()
      onBack()
    },
  }
  const faults: string[] = []
  const onProgress = (text: string): void => void faults.push(text)
  const report = await runChaos({
    seconds: SECONDS,
    urls: [server.url],
    server: victim,
    serverEvery: 15,
    slower: 12,
    takeovers: UNITS,
    onProgress,
  })
  const { kills, takeovers, fenced, lost, duplicated, different, outOfOrder, longestPauseMs, longestRecoveryMs } =
    report
  console.log(
    `${report.outputs} outputs of ${report.published} events: ${kills} kills, ${takeovers} takeovers, ${fenced} fenced, ` +
      `lost ${lost}, duplicated ${duplicated}, different ${different}, out of order ${outOfOrder}, ` +
      `longest pause ${longestPauseMs} ms, of the runtime's own ${longestRecoveryMs} ms`,
  )
  const told = [...faults, report.longestPause, report.longestRecovery, ...report.failures].join('\n')
  assert.equal(
    { lost, duplicated, different, outOfOrder },
    { lost: 0, duplicated: 0, different: 0, outOfOrder: 0 },
    told,
  )
  assert.is(report.units, UNITS, 'every partition of every pipeline has put out something')
  assert.ok(report.workerKills > 0 && report.serverKills > 0 && report.workerFreezes > 0, told)
  assert.ok(takeovers >= UNITS && fenced > 0, told)
  assert.ok(report.published > 1_000, told)
})

test.run()
