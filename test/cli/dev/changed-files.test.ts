import { mkdtemp, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tellChanges } from '../../../src/cli/dev/changed-files.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'

const test = suite('cli: dev says that declarations have changed')

/** Written in one go: a look in between would find another change. */
async function write(file: string, text: string): Promise<void> {
  await writeFile(`${file}.aside`, text)
  await rename(`${file}.aside`, file)
}

test('each change of a declaration is said once, by the names of its files; others are none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-changed-'))
  atEnd(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'shop', 'jobs'), { recursive: true })
  await write(join(folder, 'models.yaml'), 'prices:')
  // file systems tell times apart by milliseconds
  await utimes(join(folder, 'models.yaml'), 1_000, 1_000)
  const said: unknown[] = []
  const log = { ...silentLog, warn: (fields: object) => void said.push(fields) }
  const stop = await tellChanges({ clock: systemClock }, log, folder)
  atEnd(stop)
  await writeFile(join(folder, 'shop', 'notes.txt'), 'no declaration')
  await write(join(folder, 'models.yaml'), 'classes:')
  await eventually('it is said', () => said.length > 0 || undefined)
  await write(join(folder, 'shop', 'jobs', 'triage.ts'), '')
  await eventually('the other one is said', () => said.length > 1 || undefined)
  await rm(join(folder, 'models.yaml'))
  await eventually('that it is gone is said', () => said.length > 2 || undefined)
  assert.equal(said, [
    { files: ['models.yaml'] },
    { files: [join('shop', 'jobs', 'triage.ts')] },
    { files: ['models.yaml'] },
  ])
})

test.run()
