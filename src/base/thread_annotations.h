// Names for clang's thread safety analysis (-Wthread-safety): which lock guards what. Other
// compilers see nothing.
#pragma once

#if defined(__clang__)
#define LARDER_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LARDER_THREAD_ATTRIBUTE(x)
#endif

// On a class that is a lock, and on a class that holds one while it lives.
#define LARDER_CAPABILITY(name) LARDER_THREAD_ATTRIBUTE(capability(name))
#define LARDER_SCOPED_CAPABILITY LARDER_THREAD_ATTRIBUTE(scoped_lockable)

// On a member: the lock that is held whenever it is touched (_PT_: what it points to).
#define LARDER_GUARDED_BY(lock) LARDER_THREAD_ATTRIBUTE(guarded_by(lock))
#define LARDER_PT_GUARDED_BY(lock) LARDER_THREAD_ATTRIBUTE(pt_guarded_by(lock))

// On a lock: the order in which locks are taken.
#define LARDER_ACQUIRED_BEFORE(...) LARDER_THREAD_ATTRIBUTE(acquired_before(__VA_ARGS__))
#define LARDER_ACQUIRED_AFTER(...) LARDER_THREAD_ATTRIBUTE(acquired_after(__VA_ARGS__))

// On a function: locks that its caller holds, or must not hold, or that it takes and gives back.
#define LARDER_REQUIRES(...) LARDER_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define LARDER_EXCLUDES(...) LARDER_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define LARDER_ACQUIRE(...) LARDER_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define LARDER_RELEASE(...) LARDER_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))

// On a function whose locking the analysis cannot follow; a comment says why it is right.
#define LARDER_NO_THREAD_SAFETY_ANALYSIS LARDER_THREAD_ATTRIBUTE(no_thread_safety_analysis)
