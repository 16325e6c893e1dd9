import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { debianMirrors, parseAptSources } from '../../src/broker/server-apt-sources.ts'

const test = suite('apt sources')

const debian = `# comment
Types: deb
# snapshot of a day
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`

test('reads stanzas', () => {
  const [main, security] = parseAptSources([{ name: 'debian.sources', text: debian }])
  assert.equal(main, {
    uri: 'http://deb.debian.org/debian',
    suites: ['bookworm', 'bookworm-updates'],
    components: ['main'],
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
  })
  assert.equal(security?.suites, ['bookworm-security'])
})

test('reads lines, with and without options', () => {
  const text = `
deb http://mirror.example/debian bookworm main contrib # near
  deb [ arch=amd64 signed-by=/etc/keys/other.gpg ] https://apt.example/ bookworm stable
deb-src http://mirror.example/debian bookworm main
# deb http://off.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main`
  assert.equal(parseAptSources([{ name: 'sources.list', text }]), [
    { uri: 'http://mirror.example/debian', suites: ['bookworm'], components: ['main', 'contrib'], signedBy: undefined },
    { uri: 'https://apt.example/', suites: ['bookworm'], components: ['stable'], signedBy: '/etc/keys/other.gpg' },
  ])
})

test('leaves out what is switched off, and source packages', () => {
  const text = `Types: deb\nEnabled: no\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n\n\nTypes: deb-src\nURIs: http://b.example\nSuites: bookworm\nComponents: main\n`
  assert.equal(parseAptSources([{ name: 'x.sources', text }]), [])
})

test('several addresses in one stanza are several sources, and a key in the file is no path', () => {
  const text = `Types: deb deb-src\nURIs: http://a.example http://b.example\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQENBF\n`
  assert.equal(
    parseAptSources([{ name: 'x.sources', text }]).map(({ uri, signedBy }) => [uri, signedBy]),
    [
      ['http://a.example', undefined],
      ['http://b.example', undefined],
    ],
  )
})

test('takes Debian’s mirrors and no other vendor’s', () => {
  const vendors = `
deb [signed-by=/usr/share/keyrings/nodesource.gpg] https://deb.nodesource.com/node_20.x nodistro main
deb [signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/debian bookworm stable
deb [signed-by=/usr/share/keyrings/pg.gpg] https://apt.postgresql.org/pub/repos/apt bookworm-pgdg main
deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/debian bookworm main
deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main`
  const sources = parseAptSources([
    { name: 'sources.list', text: vendors },
    { name: 'debian.sources', text: debian },
  ])
  assert.equal(
    debianMirrors(sources, 'bookworm').map(({ uri }) => uri),
    ['http://mirror.example/debian', 'http://deb.debian.org/debian'],
  )
})

test.run()
