# nix-build scripts/packaging
{
  pkgs ? import <nixpkgs> { },
}:
pkgs.buildGoModule rec {
  pname = "btfbatch";
  version = "0.0.1";
  src = ../..;
  # After a change of go.mod: set it to pkgs.lib.fakeHash, build, and take the digest that the error prints.
  vendorHash = pkgs.lib.fakeHash;
  subPackages = [ "cmd/btfbatch" ];
  env.CGO_ENABLED = 0;
  ldflags = [
    "-s"
    "-w"
    "-X main.version=v${version}"
  ];
  nativeBuildInputs = [ pkgs.installShellFiles ];
  # The tests of the command need neither pahole nor kernels.
  preCheck = "export LAB=/nonexistent";
  checkFlags = [ "-short" ];
  postInstall = ''
    mkdir -p $out/libexec/btfbatch
    ln -s $out/bin/btfbatch $out/libexec/btfbatch/pahole
    $out/bin/btfbatch man man --date 1980-01-01
    installManPage man/*
    for shell in bash zsh fish; do
      $out/bin/btfbatch completion $shell > btfbatch.$shell
    done
    installShellCompletion --cmd btfbatch --bash btfbatch.bash --zsh btfbatch.zsh --fish btfbatch.fish
  '';
  meta = {
    description = "Batch encoder of BTF for Linux kernels";
    homepage = "https://github.com/btfbatch/btfbatch";
    license = pkgs.lib.licenses.asl20;
    mainProgram = "btfbatch";
  };
}
