import { ownServer } from '../test/support/nats.ts'
import { soakProperties } from './properties.ts'
import { runChaos, type ChaosReport } from './chaos/run-chaos.ts'

export interface SoakOptions {
  readonly seconds: number | undefined
  readonly runs: number | undefined
  readonly seed: number | undefined
  readonly onProgress: (text: string) => void
}

export type SoakReport = { readonly ok: boolean } & Readonly<Record<string, unknown>>

interface Soak {
  readonly about: string
  run(options: SoakOptions): Promise<SoakReport>
}

const CHAOS_SECONDS = 300

export const soaks: Readonly<Record<string, Soak>> = {
  chaos: {
    about: 'three workers and a server, killed and frozen; outputs as of an uninterrupted run (default 300 s)',
    run: chaos,
  },
  properties: {
    about: 'chains of operators and the kernel over random crashes, and broken protocols (default 200,000 chains)',
    run: soakProperties,
  },
}

async function chaos({ seconds = CHAOS_SECONDS, onProgress }: SoakOptions): Promise<SoakReport> {
  const server = await ownServer()
  const victim = {
    killAndRestart: async () => {
      await server.kill()
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 2_000))
      await server.restart()
    },
  }
  return judged(await runChaos({ seconds, url: server.url, server: victim, serverEvery: 20, onProgress }))
}

function judged(report: ChaosReport): SoakReport {
  const { lost, duplicated, different, outOfOrder } = report
  return { ok: lost + duplicated + different + outOfOrder === 0 && report.outputs > 0, ...report }
}
