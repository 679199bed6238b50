# An application with Sequel or Active Record, both on ruby-pg.
#
# ruby_app.rb sequel|rails MODE CALLERS SECONDS SETTING=VALUE...
# callers.py says how it is called. The settings are as client_config() prints them. Modes: work;
# transfer (two rows of the table entry that must both be there, or none); burst.
require 'json'

POOL, MODE, CALLERS, SECONDS = ARGV[0], ARGV[1], ARGV[2].to_i, ARGV[3].to_f
SETTINGS = ARGV[4..].to_h { |pair| name, value = pair.split('=', 2); [name.to_sym, value =~ /\A\d+\z/ ? value.to_i : value.to_f] }
SERVER = { host: ENV['PGHOST'], port: ENV['PGPORT'], database: ENV['PGDATABASE'] }.freeze
BURST_SECONDS = 3
STARTED = Process.clock_gettime(Process::CLOCK_MONOTONIC)
$paused = false
$deadline = 0
$done = [0] * CALLERS
$errors = Hash.new(0)


# What the block does is canceled at the deadline.
def canceled(connection)
  timer = Thread.new { sleep $deadline; connection.cancel } if $deadline.positive?
  yield
ensure
  timer&.kill
end

module OfSequel
  def self.open
    require 'sequel'
    const_set(:DB, Sequel.connect({ adapter: 'postgres', user: ENV['PGUSER'] }.merge(SERVER, SETTINGS)))
  end

  def self.work
    OfSequel::DB.fetch('SELECT pg_sleep(?)', SECONDS).all
  end

  def self.transfer
    db = OfSequel::DB
    db.transaction do |connection|
      canceled(connection) do
        db[:entry].insert(amount: -1)
        work
        db[:entry].insert(amount: 1)
      end
    end
  end
end

module OfRails
  def self.open
    require 'active_record'
    ActiveRecord::Base.establish_connection({ adapter: 'postgresql', username: ENV['PGUSER'] }.merge(SERVER, SETTINGS))
  end

  def self.work
    ActiveRecord::Base.connection_pool.with_connection do |connection|
      connection.select_value("SELECT pg_sleep(#{SECONDS})")
    end
  end

  def self.transfer
    ActiveRecord::Base.connection_pool.with_connection do |connection|
      canceled(connection.raw_connection) do
        connection.transaction do
          connection.exec_query('INSERT INTO entry (amount) VALUES ($1)', 'entry', [[nil, -1]])
          work
          connection.exec_query('INSERT INTO entry (amount) VALUES ($1)', 'entry', [[nil, 1]])
        end
      end
    end
  end
end

# The class, and the SQLSTATE of the driver's error, or what it says.
def name_of(error)
  cause = [error.respond_to?(:wrapped_exception) ? error.wrapped_exception : nil, error.cause, error].compact.first
  sqlstate = cause.respond_to?(:result) && cause.result ? cause.result.error_field(PG::Result::PG_DIAG_SQLSTATE) : nil
  "#{error.class} #{sqlstate || error.message.split.join(' ')[0, 200]}"
end

def repeat(application, caller)
  call = application.method(MODE == 'transfer' ? :transfer : :work)
  loop do
    return if MODE == 'burst' && caller.positive? && Process.clock_gettime(Process::CLOCK_MONOTONIC) - STARTED > BURST_SECONDS

    if $paused
      sleep 0.05
      next
    end
    begin
      call.call
      $done[caller] += 1
    rescue StandardError => e
      name = name_of(e)
      warn name unless $errors.key?(name)
      $errors[name] += 1
      sleep 0.1
    end
  end
end

application = POOL == 'rails' ? OfRails : OfSequel
application.open
CALLERS.times { |caller| Thread.new { repeat(application, caller) } }
$stdout.sync = true
$stdin.each_line do |line|
  command, argument = line.split
  $paused = command == 'pause' if %w[pause resume].include?(command)
  $deadline = argument.to_f if command == 'deadline'
  puts JSON.generate(done: $done, errors: $errors)
end
