#include "daemon/mover/sandbox.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <string>
#include <string_view>
#include <vector>

namespace slab::daemon {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t machine = 0;
#endif

constexpr std::uint32_t answer_eperm = SECCOMP_RET_ERRNO | EPERM;

constexpr int always_allowed[] = {
    // files, by descriptor
    __NR_read,
    __NR_write,
    __NR_pread64,
    __NR_pwrite64,
    __NR_readv,
    __NR_writev,
    __NR_preadv,
    __NR_pwritev,
    __NR_lseek,
    __NR_io_uring_enter,
    __NR_fstat,
    __NR_fstatfs,
    __NR_fallocate,
    __NR_ftruncate,
    __NR_fdatasync,
    __NR_fsync,
    __NR_sync_file_range,
    __NR_fadvise64,
    __NR_close,
    __NR_close_range,
    __NR_dup,
    // the supervisor's socket
    __NR_ppoll,
    __NR_recvmsg,
    __NR_recvfrom,
    __NR_sendmsg,
    // memory
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_brk,
    // time, signals, the end
    __NR_futex,
    __NR_clock_gettime,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_sched_yield,
    __NR_getrandom,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_restart_syscall,
    __NR_getpid,
    __NR_gettid,
    __NR_rseq,
    __NR_set_robust_list,
    __NR_exit,
    __NR_exit_group,
#ifdef __NR_poll
    __NR_poll,
#endif
};

constexpr int deadly[] = {__NR_execve, __NR_execveat, __NR_ptrace, __NR_process_vm_writev};

constexpr int opening[] = {
    __NR_openat,
#ifdef __NR_open
    __NR_open,
#endif
};

constexpr int renaming[] = {
    __NR_renameat2,
#ifdef __NR_renameat
    __NR_renameat,
#endif
#ifdef __NR_rename
    __NR_rename,
#endif
};

// Sorted by nothing: the kernel compiles the program, and the whole list costs less than one system call.
class Filter {
  public:
    Filter() {
        // Another machine's numbers, as of a 32-bit call from this 64-bit process, mean other calls.
        load(offsetof(seccomp_data, arch));
        add(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0);
        answer(SECCOMP_RET_KILL_PROCESS);
        load(offsetof(seccomp_data, nr));
    }

    void answer_call(int call, std::uint32_t with) {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
        answer(with);
    }

    // Arguments that are ints for the kernel: their upper halves mean nothing to it.
    void allow_if_argument_is(int call, unsigned argument, std::initializer_list<int> values) {
        const auto count = static_cast<std::uint8_t>(values.size());
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0,
            static_cast<std::uint8_t>(count + 3));
        load(low_half(argument));
        std::uint8_t to_allow = count;
        for (const int value : values) {
            add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(value), to_allow--, 0);
        }
        answer(answer_eperm);
        answer(SECCOMP_RET_ALLOW);
    }

    void allow_without_bits(int call, unsigned argument, std::uint32_t bits) {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4);
        load(low_half(argument));
        add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
        answer(answer_eperm);
        answer(SECCOMP_RET_ALLOW);
    }

    // Both halves of a pointer.
    void allow_if_null(int call, unsigned argument) {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 6);
        load(low_half(argument));
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
        load(high_half(argument));
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
        answer(answer_eperm);
        answer(SECCOMP_RET_ALLOW);
    }

    void refuse_all_else() { answer(answer_eperm); }

    sock_fprog program() { return {static_cast<unsigned short>(instructions_.size()), instructions_.data()}; }

  private:
    static constexpr bool little_endian = std::endian::native == std::endian::little;
    static std::uint32_t half(unsigned argument, bool second) {
        return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * argument +
                                          (second ? sizeof(std::uint32_t) : 0));
    }
    static std::uint32_t low_half(unsigned argument) { return half(argument, !little_endian); }
    static std::uint32_t high_half(unsigned argument) { return half(argument, little_endian); }

    void add(int code, std::uint32_t constant, std::uint8_t if_true, std::uint8_t if_false) {
        instructions_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, constant});
    }
    void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset), 0, 0); }
    void answer(std::uint32_t with) { add(BPF_RET | BPF_K, with, 0, 0); }

    std::vector<sock_filter> instructions_;
};

[[maybe_unused]] Filter mover_filter() {
    Filter filter;
    for (const int call : always_allowed) {
        filter.answer_call(call, SECCOMP_RET_ALLOW);
    }
    for (const int call : deadly) {
        filter.answer_call(call, SECCOMP_RET_KILL_PROCESS);
    }
    filter.allow_without_bits(__NR_mmap, 2, PROT_EXEC);
    filter.allow_without_bits(__NR_mprotect, 2, PROT_EXEC);
    filter.allow_if_argument_is(__NR_newfstatat, 3, {AT_EMPTY_PATH});
    // F_SETOWN is not there: with O_ASYNC and F_SETSIG the kernel would send SIGKILL to the supervisor for us.
    filter.allow_if_argument_is(__NR_fcntl, 1,
                                {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC, F_GET_SEALS});
    filter.allow_if_null(__NR_sendto, 4);
    const int self = ::getpid();
    for (const int call : {__NR_kill, __NR_tgkill, __NR_tkill}) {
        filter.allow_if_argument_is(call, 0, {self});
    }
    filter.allow_if_argument_is(__NR_prctl, 0, {PR_SET_NAME});
    const bool pauses = std::getenv("SLABD_PAUSE_DIR") != nullptr;
    if (pauses || std::getenv("SLABD_RECORD_DIR") != nullptr || std::getenv("SLABD_FAULT_DIR") != nullptr) {
        for (const int call : opening) {
            filter.answer_call(call, SECCOMP_RET_ALLOW);
        }
    }
    if (pauses) {
        for (const int call : renaming) {
            filter.answer_call(call, SECCOMP_RET_ALLOW);
        }
    }
    filter.refuse_all_else();
    return filter;
}

[[maybe_unused]] Error cannot_enter(std::string_view step) {
    return {ErrorKind::failed, "a mover cannot be confined", std::string(step) + ": " + errno_text(errno),
            "The kernel must have CONFIG_SECCOMP_FILTER, and a container must allow prctl(PR_SET_SECCOMP)."};
}

}  // namespace

Expected<Sandbox> enter_mover_sandbox() {
    if constexpr (machine == 0) {
        return Sandbox::no_filter_for_this_machine;
    }
#ifdef __SANITIZE_ADDRESS__
    return Sandbox::left_out_for_sanitizer;
#endif
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return std::unexpected(cannot_enter("PR_SET_NO_NEW_PRIVS"));
    }
    Filter filter = mover_filter();
    const sock_fprog program = filter.program();
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return std::unexpected(cannot_enter("PR_SET_SECCOMP"));
    }
    return Sandbox::entered;
}

std::expected<void, int> restrict_ring(io_uring& ring) {
    constexpr std::uint8_t allowed_requests[] = {
        IORING_OP_READ,         IORING_OP_WRITE,   IORING_OP_FSYNC, IORING_OP_FALLOCATE, IORING_OP_POLL_ADD,
        IORING_OP_ASYNC_CANCEL, IORING_OP_TIMEOUT, IORING_OP_CLOSE, IORING_OP_NOP};
    constexpr std::uint8_t allowed_flags = IOSQE_ASYNC | IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_IO_HARDLINK;
    std::array<io_uring_restriction, std::size(allowed_requests) + 1> restrictions{};
    for (std::size_t i = 0; i < std::size(allowed_requests); ++i) {
        restrictions[i].opcode = IORING_RESTRICTION_SQE_OP;
        restrictions[i].sqe_op = allowed_requests[i];
    }
    restrictions.back().opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    restrictions.back().sqe_flags = allowed_flags;
    // By number: Debian 12's liburing declares functions for these two and does not export them.
    if (::syscall(__NR_io_uring_register, ring.ring_fd, IORING_REGISTER_RESTRICTIONS, restrictions.data(),
                  restrictions.size()) != 0 ||
        ::syscall(__NR_io_uring_register, ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0) {
        return std::unexpected(errno);
    }
    return {};
}

}  // namespace slab::daemon
