import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareServerVersions, isSupportedServer, parseServerVersion } from '../../src/broker/server-version.ts'

const test = suite('server version')

test('reads what nats-server -v prints', () => {
  assert.equal(parseServerVersion('nats-server: v2.15.1\n'), { major: 2, minor: 15, patch: 1, text: '2.15.1' })
  assert.is(parseServerVersion('nats-server: v2.14.2-RC.1')?.text, '2.14.2-RC.1')
  assert.is(parseServerVersion('2.9.10')?.minor, 9)
})

test('finds no version where there is none', () => {
  for (const output of ['', 'nats-server: dev', 'v2.14', 'command not found'])
    assert.is(parseServerVersion(output), undefined)
})

test('supports 2.14 and newer only', () => {
  const supported = ['2.13.9', '2.14.0', '2.15.1', '3.0.0', '2.9.99', '1.99.0'].map((text) => {
    const version = parseServerVersion(text)
    return version !== undefined && isSupportedServer(version)
  })
  assert.equal(supported, [false, true, true, true, false, false])
})

test('orders by number, not by text', () => {
  const versions = ['2.9.10', '2.15.1', '2.14.10', '2.14.9'].map((text) => parseServerVersion(text)!)
  assert.equal(
    versions.sort(compareServerVersions).map(({ text }) => text),
    ['2.9.10', '2.14.9', '2.14.10', '2.15.1'],
  )
})

test.run()
