/** One archive of a nats-server release. */
export interface ServerRelease {
  readonly version: string
  /** Name of the file among the release's assets. */
  readonly asset: string
  /** SHA-256 of that file, as hexadecimal digits. */
  readonly sha256: string
}

const VERSION = '2.14.1'

/**
 * The archives whose hash is pinned, by `process.platform` and `process.arch`. The hashes are those that the
 * maintainers' own container images are built with (repository nats-io/nats-docker, directory `2.14.x`, at the commit
 * for this version, b30b30d). There are none there for macOS or for Windows on ARM, so those have none here.
 */
export const PINNED_RELEASES: Readonly<Record<string, ServerRelease>> = {
  'linux-x64': linux('amd64', '4638c389af67d4c747f5b3e6a9d363bfe8f6b86de37d7c4ee3a36b283a5c2ce2'),
  'linux-arm64': linux('arm64', '0bdd20ad850e66a484dcb126f6ce610079520b56d9e8518d099e0864ab8171a1'),
  'linux-arm': linux('arm7', '15c7a984f586891bd573cf8bfa28aa453786dd7e42fa0315b2c7a85c2bdfef47'),
  'linux-ia32': linux('386', '851034aefaa2540951e9c6c86d144a407478da27e941f0c662f419ae1993c472'),
  'linux-s390x': linux('s390x', 'fefbeff1d6e259dfbb0a4514501a369d8c57e9d856fcc392c4da3c242162ee35'),
  'linux-ppc64': linux('ppc64le', '784c75d2c0430ff0dada016f36bc0ef8fef56e2117df8170eb33a37c65f81365'),
  'linux-loong64': linux('loong64', '3cfb6bee7ec72c722b6480425edd87e96ca16fe76b31f5b8c43fae5d033c8fdf'),
  'win32-x64': {
    version: VERSION,
    asset: `nats-server-v${VERSION}-windows-amd64.zip`,
    sha256: 'fb7ddfdde7da0ce89a5174c00b0f7fa9d559ee88c6de638c681b464d35e7caca',
  },
}

/** Where a release's assets are, below the base address. */
export function assetUrl(base: string, release: ServerRelease): string {
  return `${base.replace(/\/$/, '')}/v${release.version}/${release.asset}`
}

function linux(arch: string, sha256: string): ServerRelease {
  return { version: VERSION, asset: `nats-server-v${VERSION}-linux-${arch}.tar.gz`, sha256 }
}
