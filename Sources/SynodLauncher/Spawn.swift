import Foundation

/// Starts a program with the given standard input and output and no other open files: a socket
/// left open in a child would not close when the launcher closes it. It gets a process group of its
/// own, so that Control-C reaches the launcher alone, and has every signal in its default state,
/// whatever the calling thread blocks or ignores. Returns the process's id. Throws
/// ``ClusterError``.
func spawn(
    _ executable: String, _ arguments: [String], input: Int32, output: Int32
) throws(ClusterError) -> pid_t {
    #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
    #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
    }
    for (source, target) in [
        (input, STDIN_FILENO), (output, STDOUT_FILENO), (output, STDERR_FILENO),
    ] {
        posix_spawn_file_actions_adddup2(&actions, source, target)
    }
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = [POSIX_SPAWN_SETSIGMASK, POSIX_SPAWN_SETSIGDEF, POSIX_SPAWN_SETPGROUP]
    posix_spawnattr_setflags(&attributes, flags.reduce(0) { $0 | Int16($1) })

    let copies = ([executable] + arguments).map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    closeAllOnExec()
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, &actions, &attributes, copies + [nil], environ)
    guard code == 0 else {
        throw ClusterError("\(executable) cannot be started: \(String(cString: strerror(code)))")
    }
    return pid
}

/// Marks whatever is open, apart from the three standard streams, to be closed in children.
private func closeAllOnExec() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? []
    for descriptor in names.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
}

/// Waits until the process has ended, without reaping it: its id stays taken.
func waitForEnd(of pid: pid_t) {
    var info = siginfo_t()
    while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == -1, errno == EINTR {}
}

/// Reaps a process that has ended.
func reap(_ pid: pid_t) -> Ending {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? .exited(code: (status >> 8) & 0xff) : .killed(signal: signal)
}
