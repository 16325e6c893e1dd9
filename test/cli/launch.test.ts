import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TOP } from '../support/repository.ts'

const test = suite('the command of the package')

test('before the build it says what to do, after it it runs what was built', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-launch-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    cpSync(join(TOP, 'src/cli/launch.js'), join(folder, 'src/cli/launch.js'))
    const run = () => spawnSync(process.execPath, ['src/cli/launch.js', 'a', '--b'], { cwd: folder, encoding: 'utf8' })
    const before = run()
    assert.equal([before.status, before.stdout], [1, ''])
    assert.match(before.stderr, 'npm run build')
    mkdirSync(join(folder, 'dist/cli'), { recursive: true })
    writeFileSync(join(folder, 'dist/cli/main.js'), 'console.log(process.argv.slice(2).join())')
    const after = run()
    assert.equal([after.status, after.stdout, after.stderr], [0, 'a,--b\n', ''])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('it is there, and can be run, before anything is built', () => {
  const { bin } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as { bin: { millrace: string } }
  assert.not.match(bin.millrace, 'dist/')
  assert.ok((statSync(join(TOP, bin.millrace)).mode & 0o111) !== 0)
})

test.run()
