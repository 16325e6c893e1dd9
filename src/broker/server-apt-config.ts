import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What apt is to fetch from. */
export interface AptOrigin {
  readonly uri: string
  readonly suite: string
  /** Path of the only keyring whose signatures count. */
  readonly keyring: string
}

/**
 * Writes a configuration under which apt keeps everything in `directory`: its lists, its cache, its one source. The
 * machine's own settings still hold where they are about the way out (proxies, certificates), but its hooks do not
 * run, and an unsigned source is refused whatever they say.
 * @returns path of the configuration, for `apt-get -c`
 */
export async function writeAptConfig(directory: string, origin: AptOrigin): Promise<string> {
  const at = (...parts: string[]): string => join(directory, ...parts)
  await Promise.all(
    [at('lists', 'partial'), at('cache', 'archives', 'partial'), at('etc')].map((path) =>
      mkdir(path, { recursive: true }),
    ),
  )
  await writeFile(at('status'), '')
  await writeFile(
    at('etc', 'only.sources'),
    [
      'Types: deb',
      `URIs: ${origin.uri}`,
      `Suites: ${origin.suite}`,
      'Components: main',
      'Targets: Packages',
      `Signed-By: ${origin.keyring}`,
      '',
    ].join('\n'),
  )
  await writeFile(at('apt.conf'), configuration(at))
  return at('apt.conf')
}

function configuration(at: (...parts: string[]) => string): string {
  const settings: Record<string, string> = {
    'Dir::State': at(),
    'Dir::State::lists': at('lists'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('cache'),
    'Dir::Etc::sourcelist': at('etc', 'only.sources'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::preferences': '-',
    'Dir::Etc::preferencesparts': '-',
    'Dir::Log': at(),
    'APT::Sandbox::User': '',
    'APT::Get::AllowUnauthenticated': 'false',
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::AllowWeakRepositories': 'false',
    'Acquire::AllowDowngradeToInsecureRepositories': 'false',
    'Acquire::Languages': 'none',
    'Acquire::PDiffs': 'false',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
  }
  const hooks = [
    'APT::Update::Pre-Invoke',
    'APT::Update::Post-Invoke',
    'APT::Update::Post-Invoke-Success',
    'DPkg::Pre-Invoke',
    'DPkg::Post-Invoke',
    'DPkg::Pre-Install-Pkgs',
  ]
  return [
    ...hooks.map((hook) => `#clear ${hook};`),
    ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`),
    '',
  ].join('\n')
}
